"""STM32CubeIDE's managed projects: the files that it keeps, what they mean, and what would break an import."""
