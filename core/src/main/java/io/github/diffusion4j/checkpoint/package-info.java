/**
 * Checkpoints in one file, in the layout of the original latent diffusion code: what they hold, the
 * configuration that their shapes tell, and their tensors under the names that diffusers gives
 * them, without a copy.
 */
package io.github.diffusion4j.checkpoint;
