"""Template-ready values of the first pages, the list, the chart and the timeline."""
