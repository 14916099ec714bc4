/** Prompt tokenizers of diffusion models (CLIP, T5): text to token ids of the model's length. */
package io.github.diffusion4j.tokenizer;
