"""Errors of the package. Every one derives from `AMPError` and says what was wrong, got, allowed, and what to do."""


class AMPError(Exception):
    """Base class of all errors raised on purpose by `amp_sbx`."""


class ConfigError(AMPError, ValueError):
    """A setting is unknown or out of its range."""


class FeatureError(AMPError, ValueError):
    """AMP features (reference or policy) are missing, of the wrong shape or layout, or not finite."""


class VecEnvError(AMPError, ValueError):
    """A vector environment cannot be adapted, or was used in a way it does not support."""


class NonFiniteError(AMPError, FloatingPointError):
    """An update met NaN or infinity. The learner's state is as it was before that update."""


class CheckpointError(AMPError, RuntimeError):
    """A checkpoint cannot be written or read, or does not fit the environment it is loaded for."""
