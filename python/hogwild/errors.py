"""What goes wrong, by what to do about it."""

__all__ = ["BadDataError", "BadSettingError", "DivergedError"]


class BadDataError(ValueError):
    """Data can't be used: the message names row, column and remedy."""


class BadSettingError(ValueError):
    """A setting is out of its range, or does not go with another: ``setting`` is its name."""

    def __init__(self, message: str, setting: str = "") -> None:
        super().__init__(message)
        self.setting = setting

    def __reduce__(self) -> tuple[type["BadSettingError"], tuple[str, str]]:
        return (type(self), (str(self), self.setting))


class DivergedError(ArithmeticError):
    """Training left the finite numbers before there was a model: the message names a rate to try."""
