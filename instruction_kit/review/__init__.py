"""What a careful reader would say of tasks and templates: what is wrong, and where the rules are not met."""
