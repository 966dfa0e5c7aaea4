"""Held-out tasks, scored: a model and a built folder go in, a report and the rows behind it come out.

    folder     the pairs of a built folder that are measured
    model      a model and its tokenizer
    score      log-likelihoods, each the same whatever it was batched with
    measure    the score of every candidate of every pair
    figures    right or wrong, intervals, chance, majority: plain numbers
    rows       the layout of what was measured, a pair a row
    report     what a report holds
    summary    a report from the rows alone
    grid       a report as tables of text
    markdown   those tables as Markdown, with how to read them
    table      those tables for the terminal
    picture    a report as a picture
    markup     elements of HTML and SVG
    chart      charts as inline SVG
    page       the frame of a page
    report_page  a report as one page, with charts and tables
    compare    several measurements side by side, over the same pairs
    comparison_grid, comparison_page  a comparison as tables, and as one page
    files      the files of a measurement, written and read
    evaluate   the command

Only `model`, `score` and `measure` load torch and transformers, only `picture` loads matplotlib.
"""
