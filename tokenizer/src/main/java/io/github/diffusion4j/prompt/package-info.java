/**
 * Prompt languages: weights, composition and editing as in the Stable Diffusion web UI, the Compel
 * syntax, long prompts in chunks, wildcards and matrices for batch work. Everything here is text
 * in, immutable values out; no model is needed.
 */
package io.github.diffusion4j.prompt;
