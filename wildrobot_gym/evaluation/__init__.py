"""How a gait is evaluated: recordings, the walk benchmark's metrics, videos and plots."""
