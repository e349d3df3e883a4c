"""From a graph to code: kernel schedules, their cost, the memory plan, and the text of the sources."""
