"""Where the work of a run is done: in this process, in several, or on a cluster."""
