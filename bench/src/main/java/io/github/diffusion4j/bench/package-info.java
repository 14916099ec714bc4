/**
 * JMH benchmarks: how fast each part is, what a step costs outside ONNX Runtime, and what it
 * allocates. {@link io.github.diffusion4j.bench.Main} runs them.
 */
package io.github.diffusion4j.bench;
