"""Initial weights out of another model, instead of random ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyfm import _core
from pyfm.checks import refuse
from pyfm.estimators.model_spec import ModelSpec

if TYPE_CHECKING:
    from pyfm.estimators.base import Estimator


def check_source(source: Any, wanted: ModelSpec) -> None:
    """Raises ValueError unless it is a fitted estimator with parts of the wanted shape."""
    given = getattr(source, "_spec", None)
    if not isinstance(given, ModelSpec) or "_model" not in vars(source):
        refuse("init_from", "a fitted estimator of pyfm", source)
    if "factors" in wanted.tables and _vectors(given) != _vectors(wanted):
        refuse("init_from", f"a model of {_vectors(wanted)}", f"{source!r}, of {_vectors(given)}")


def _vectors(spec: ModelSpec) -> str:
    if "factors" not in spec.tables:
        return "no factors"
    return f"n_factors={spec.n_factors}" + (" for every field" if spec.kind == "ffm" else "")


def start_from(source: Estimator, spec: ModelSpec, model: _core.Model) -> None:
    """Copies the weights of the parts that both have, of the features that `source` knows."""
    given, known = source._spec, source._model
    if spec.kind == "ffm" and given.n_fields != spec.n_fields:
        refuse("init_from", f"a model of {spec.n_fields} fields", f"one of {given.n_fields}")
    if given.n_outputs != spec.n_outputs:
        scores = "scores of a row, 1 of two classes and one for each of more"
        refuse("init_from", f"a model with {spec.n_outputs} {scores}", given.n_outputs)
    features = known.features
    features = features[features < spec.n_features]
    for part in spec.tables:
        if part in given.tables:
            model.set_weights(part, known.weights(part, features), features)
    if model.bias is not None and known.bias is not None:
        model.bias[...] = known.bias
    shapes = spec.network_shapes()
    same_input = tuple(spec.input_fields) == tuple(given.input_fields)
    if spec.tower is None or not same_input or shapes != given.network_shapes():
        return
    for name in shapes[0]:
        model.set_network_weights(name, known.network_weights(name))
    for name in shapes[1]:
        model.set_network_statistics(name, known.network_statistics(name))
