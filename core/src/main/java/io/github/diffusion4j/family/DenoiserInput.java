package io.github.diffusion4j.family;

/** What a UNet takes beside the latents, told from the pipeline that the model was saved from. */
enum DenoiserInput {
  /** Nothing: text to image, and whatever begins with noised latents. */
  LATENTS,
  /** A mask and the masked picture's latents; an inpainting pipeline may also have none. */
  INPAINTING,
  /** The latents of the picture to change. */
  INSTRUCTION,
  /** A small picture. */
  LOW_RESOLUTION;

  static DenoiserInput of(String pipelineClass) {
    if (pipelineClass.contains("InstructPix2Pix")) {
      return INSTRUCTION;
    }
    if (pipelineClass.contains("Upscale")) {
      return LOW_RESOLUTION;
    }
    return pipelineClass.contains("Inpaint") ? INPAINTING : LATENTS;
  }

  /** Channels that such a UNet has beside the latents, where its input does not say. */
  int extraChannels(int latentChannels) {
    return switch (this) {
      case LATENTS -> 0;
      case INPAINTING -> latentChannels + 1;
      case INSTRUCTION -> latentChannels;
      case LOW_RESOLUTION -> 3;
    };
  }

  boolean takes(int extraChannels, int latentChannels) {
    return extraChannels == extraChannels(latentChannels)
        || this == INPAINTING && extraChannels == 0;
  }
}
