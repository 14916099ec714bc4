/** Tasks that begin with a picture: image to image, inpainting, instructions, upscaling. */
package io.github.diffusion4j.task;
