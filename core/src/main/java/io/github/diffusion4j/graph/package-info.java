/**
 * Builds ONNX graphs of published architectures from a model's configuration, with the weights left
 * where they lie in safetensors files. A {@link io.github.diffusion4j.graph.Graph} collects the
 * nodes, a {@link io.github.diffusion4j.graph.Value} is the result of one and has the operators, a
 * {@link io.github.diffusion4j.graph.Scope} names a module of the model so that layers find their
 * weights, and {@link io.github.diffusion4j.graph.Weights} is where these come from.
 */
package io.github.diffusion4j.graph;
