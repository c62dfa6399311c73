"""Baggings as folders: a model file for each member, and JSON. No pickle.

``ensemble.json`` holds the format's version, the name of the class, its parameters (those of
`estimator` are the members', but for its own seed and threads) and the number of members;
``member-0.pyfm`` and so on are model files as `pyfm.load` reads them.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

import pyfm
from pyfm import ensemble
from pyfm._core import FormatError
from pyfm.checks import refuse
from pyfm.model_file.reader import describe as describe_model

if TYPE_CHECKING:
    from pyfm.ensemble.bagging import Bagging

FORMAT_VERSION = 1
METADATA = "ensemble.json"
_OWN = ("n_jobs", "random_state")  # of the estimator, which its members have others of
_MAX_JSON = 1 << 20


def save(bagging: Bagging, path: str | os.PathLike[str]) -> None:
    """What ``bagging.save(path)`` does, which documents it."""
    check_is_fitted(bagging)
    target = Path(os.fsdecode(path)).absolute()
    _check_replaceable(target)
    text = _to_json(bagging)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    temporary.mkdir()
    try:
        for i, member in enumerate(bagging.estimators_):
            member.save(temporary / _member_file(i))
        (temporary / METADATA).write_text(text)
        _take_place(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def load(path: str | os.PathLike[str]) -> Any:
    """The bagging in a folder; `pyfm.load` documents it."""
    folder = Path(os.fsdecode(path))
    bagging, own, n_members = _read(folder)
    members = [pyfm.load(folder / _member_file(i)) for i in range(n_members)]
    for i, member in enumerate(members):
        if not isinstance(member, bagging._kind) or not _agree(member, members[0]):
            expected = f"a {bagging._kind.__name__.lower()} with the inputs and labels of member 0"
            raise FormatError(f"{folder / _member_file(i)}: expected {expected}, found another")
    _set_estimator(bagging, members[0], own, folder)
    bagging.estimators_ = members
    return bagging


def describe(path: str | os.PathLike[str]) -> tuple[Any, int, dict[str, Any]]:
    """The bagging, not fitted, its number of members, and the metadata of the first one's file."""
    folder = Path(os.fsdecode(path))
    bagging, own, n_members = _read(folder)
    member, metadata = describe_model(folder / _member_file(0))
    _set_estimator(bagging, member, own, folder)
    return bagging, n_members, metadata


def _member_file(i: int) -> str:
    return f"member-{i}.pyfm"


def _read(folder: Path) -> tuple[Any, dict[str, Any], int]:
    """What `_from_json` finds in a folder that has as many members."""
    file = folder / METADATA
    if not file.is_file():
        message = f"expected a model file, or an ensemble's folder with {METADATA} in it"
        raise IsADirectoryError(errno.EISDIR, message, str(folder))
    if file.stat().st_size > _MAX_JSON:
        raise FormatError(f"{file}: expected at most {_MAX_JSON} bytes")
    try:
        bagging, own, n_members = _from_json(json.loads(file.read_text()))
    except (RecursionError, TypeError, ValueError) as error:
        raise FormatError(f"{file}: {error}") from error
    found = len(list(folder.glob("member-*.pyfm")))
    if found != n_members:
        raise FormatError(f"{folder}: expected {n_members} members, found {found}")
    return bagging, own, n_members


def _set_estimator(bagging: Any, member: Any, own: dict[str, Any], folder: Path) -> None:
    try:
        bagging.estimator = clone(member).set_params(**own)
        bagging._member()
    except ValueError as error:
        raise FormatError(f"{folder / METADATA}: {error}") from error


def _check_replaceable(target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        if (target / METADATA).is_file() or not any(target.iterdir()):
            return
        raise OSError(
            errno.ENOTEMPTY, "expected a new or empty folder, or one of an ensemble", str(target)
        )
    if target.exists() or target.is_symlink():
        raise NotADirectoryError(errno.ENOTDIR, "an ensemble is saved to a folder", str(target))
    os.stat(target.parent)  # an OSError with its name, where there is none


def _take_place(temporary: Path, target: Path) -> None:
    """Moves the new folder to where the old one was, which goes last."""
    if not target.exists():
        temporary.rename(target)
        return
    old = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
    target.rename(old)
    try:
        temporary.rename(target)
    except BaseException:
        old.rename(target)
        raise
    with contextlib.suppress(OSError):
        shutil.rmtree(old)


def _to_json(bagging: Bagging) -> str:
    params = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in bagging.get_params(deep=False).items()
        if name != "estimator"
    }
    template = bagging._member().get_params(deep=False)
    own = {name: template[name] for name in _OWN}
    for of in (params, own):
        if not isinstance(of["random_state"], int | np.integer):
            of["random_state"] = None  # a generator's state is no parameter
    metadata = {
        "format_version": FORMAT_VERSION,
        "library_version": pyfm.__version__,
        "class": type(bagging).__name__,
        "params": params,
        "estimator": own | {"random_state": _int(own["random_state"])},
        "n_members": len(bagging.estimators_),
    }
    try:
        return json.dumps(metadata, allow_nan=False, indent=1)
    except TypeError as error:
        raise ValueError(f"the ensemble cannot be saved: {error}") from error


def _int(value: Any) -> int | None:
    return None if value is None else int(value)


def _from_json(metadata: Any) -> tuple[Any, dict[str, Any], int]:
    """The bagging, not fitted and without its estimator, what that has of its own, and members."""
    if not isinstance(metadata, dict) or metadata.get("format_version") != FORMAT_VERSION:
        found = metadata.get("format_version") if isinstance(metadata, dict) else metadata
        refuse("format_version", f"{FORMAT_VERSION}, as this pyfm writes it", found)
    kinds = {
        kind.__name__: kind for kind in (ensemble.BaggingClassifier, ensemble.BaggingRegressor)
    }
    kind = kinds.get(metadata.get("class", ""))
    if kind is None:
        refuse("class", f"one of {', '.join(kinds)}", metadata.get("class"))
    names = set(kind().get_params(deep=False)) - {"estimator"}
    params, own = metadata.get("params"), metadata.get("estimator")
    if not isinstance(params, dict) or set(params) != names:
        refuse("params", f"the entries {sorted(names)}", params)
    if not isinstance(own, dict) or set(own) != set(_OWN):
        refuse("estimator", f"the entries {sorted(_OWN)}", own)
    n_members = metadata.get("n_members")
    if isinstance(n_members, bool) or not isinstance(n_members, int) or n_members < 1:
        refuse("n_members", "an integer >= 1", n_members)
    bagging = kind(**params)
    bagging._check()
    return bagging, own, n_members


def _agree(member: Any, first: Any) -> bool:
    """Whether two members read rows and name labels in the same way."""
    if member._inputs.kind != first._inputs.kind or type(member) is not type(first):
        return False
    if member.n_features_in_ != first.n_features_in_ or member.n_fields_ != first.n_fields_:
        return False
    classes = getattr(member, "classes_", None)
    return classes is None or np.array_equal(classes, first.classes_)
