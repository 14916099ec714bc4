/** LoRA files: which layers they change, in the names of kohya's scripts, diffusers and peft. */
package io.github.diffusion4j.lora;
