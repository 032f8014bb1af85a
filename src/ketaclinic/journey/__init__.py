"""Where every patient is: first pages, the list, the chart, the timeline. Composes what the stages know."""
