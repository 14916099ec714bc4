/**
 * Tensors in files: safetensors read through memory maps, sharded repositories, a writer whose
 * bytes depend on nothing but what is written, and files that appear whole or not at all.
 */
package io.github.diffusion4j.tensor;
