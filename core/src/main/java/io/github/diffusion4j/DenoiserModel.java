package io.github.diffusion4j;

import java.util.List;

/** The network that predicts noise (a UNet or transformer), ready for any number of generations. */
public interface DenoiserModel {

  /**
   * Prepares one generation: wraps what stays the same for all steps.
   *
   * @param conditioning rows for each branch and image
   * @param shape the latents of one branch
   * @param batching whether all branches go through the network at once
   * @param cancel stops a running network
   * @return owned by the caller, for one thread
   */
  Denoiser bind(
      Conditioning conditioning, LatentShape shape, BranchBatching batching, CancelToken cancel);

  /**
   * This model changed by LoRAs. The model itself stays as it is.
   *
   * @param loras with nothing for layers that the model does not have
   * @return the changed model, closed with this one; this one if nothing of it is changed
   * @throws IllegalArgumentException if it takes no such changes
   * @throws ModelFormatException if a LoRA is for another kind of model
   */
  default DenoiserModel with(LoraSet loras) {
    if (loras.components().keySet().stream().allMatch(LoraSet::isTextEncoder)) {
      return this;
    }
    throw new IllegalArgumentException("this model's denoiser takes no LoRA, got " + loras);
  }

  /**
   * Channels that the network's input has beside the latents: what a task must give as {@link
   * Conditioning#EXTRA_CHANNELS}, such as an inpainting's mask and masked picture.
   *
   * @return 0 for an ordinary model
   */
  default int extraChannels() {
    return 0;
  }

  /**
   * Latent cells of which each side must be a multiple: a UNet that halves its input cannot put
   * together halves of an odd number.
   *
   * @return 1 for a network that takes any size
   */
  default int sideMultiple() {
    return 1;
  }

  /**
   * Which generations may share a run.
   *
   * @return none unless the network says otherwise
   */
  default RunSharing sharing() {
    return RunSharing.NONE;
  }

  /**
   * Networks that can steer this one by pictures.
   *
   * @return their names in the order that controls without a name take them; empty if there is none
   */
  default List<String> controlNets() {
    return List.of();
  }

  /**
   * What this network is told of pictures that say what is painted.
   *
   * @return encodes them; refuses them where the network has no input for them
   */
  default ImagePromptEncoder imagePrompts() {
    return ImagePromptEncoder.NONE;
  }

  /**
   * This network steered by pictures, for one generation.
   *
   * @param schedule what each of the networks reads
   * @return to be bound in place of this; shares its resources
   * @throws IllegalArgumentException if a network of the schedule is not among {@link #controlNets}
   */
  default DenoiserModel controlled(ControlSchedule schedule) {
    throw new IllegalArgumentException("this denoiser cannot be steered by pictures");
  }

  /**
   * This network reusing features from step to step, for one generation: whatever it is bound to,
   * evaluations are counted together. What it needs for that is opened when it is first bound.
   *
   * @param reuse how
   * @return to be bound in place of this, by one thread; shares its resources
   * @throws IllegalArgumentException if the network cannot do that, or has fewer layers
   */
  default DenoiserModel reusing(FeatureReuse reuse) {
    if (!reuse.isOn()) {
      return this;
    }
    throw new IllegalArgumentException(
        "features can be reused between the steps of a UNet only, and this model's denoiser is"
            + " none; leave feature reuse out");
  }
}
