"""How a gait is judged: recordings of physics state, the walk benchmark's figures, videos and plots."""
