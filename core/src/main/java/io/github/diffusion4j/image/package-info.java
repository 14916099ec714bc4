/**
 * Pictures: between tensors and {@link java.awt.image.BufferedImage}, resizing and masks as Pillow
 * and diffusers do them, PNG and JPEG with generation parameters in and out. Works headless.
 */
package io.github.diffusion4j.image;
