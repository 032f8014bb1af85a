"""An upgrade over 100,000 real vital signs, as an application of its own: data moved, table rebuilt, data changed."""
