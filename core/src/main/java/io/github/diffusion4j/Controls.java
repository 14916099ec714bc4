package io.github.diffusion4j;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The controls of a request. Immutable.
 *
 * @param list in the order of the networks that read them; what they add to the denoiser is summed
 * @param guessMode whether the networks are to find out by themselves what the pictures show: they
 *     leave the negative branch alone and count less the finer the residuals are, from a tenth to
 *     all; for prompts that say little
 */
public record Controls(List<Control> list, boolean guessMode) {

  /** No control. */
  public static final Controls NONE = new Controls(List.of(), false);

  /** Copies the list. */
  public Controls {
    list = List.copyOf(list);
  }

  /**
   * Whether there is none.
   *
   * @return true for an ordinary generation
   */
  public boolean isEmpty() {
    return list.isEmpty();
  }

  /**
   * The network of each control.
   *
   * @param available names that the model has, in their order
   * @return a name for each control
   * @throws IllegalArgumentException if the model lacks one, or two controls take the same
   */
  public List<String> nets(List<String> available) {
    List<String> free = new ArrayList<>(available);
    list.forEach(control -> free.remove(control.net()));
    Set<String> taken = new LinkedHashSet<>();
    for (int i = 0; i < list.size(); i++) {
      String name = list.get(i).net();
      if (name.isEmpty() && !free.isEmpty()) {
        name = free.remove(0);
      }
      if (!available.contains(name)) {
        throw new IllegalArgumentException(
            "no network for control %d%s: the model has %s; give the folder of a ControlNet when the model is opened"
                .formatted(
                    i + 1,
                    name.isEmpty() ? "" : " of the name \"" + name + "\"",
                    available.isEmpty() ? "none" : available));
      }
      if (!taken.add(name)) {
        throw new IllegalArgumentException(
            "two controls take the network \"" + name + "\"; name a network for each of them");
      }
    }
    return List.copyOf(taken);
  }

  /**
   * Refuses what a model cannot do, before anything is computed.
   *
   * @param request these controls' own, with nothing left open
   * @param model the denoiser
   * @throws IllegalArgumentException if the model lacks a network, or the pictures are too many
   */
  public void check(GenerationRequest request, DenoiserModel model) {
    if (list.isEmpty()) {
      return;
    }
    nets(model.controlNets());
    for (Control control : list) {
      GenerationRequest.checkPictures(
          "control picture", control.pictures(), request.prompts(), request.images());
    }
  }

  /** Takes a size that the request leaves open from the first picture, cut to the multiple. */
  GenerationRequest sized(GenerationRequest request, Stages stages) {
    if (list.isEmpty() || stages.facts().fixedSize()) {
      return request;
    }
    PictureSource first = list.get(0).pictures();
    int multiple = stages.sizeMultiple();
    GenerationRequestBuilder builder = request.toBuilder();
    if (request.width().isEmpty()) {
      builder.width(Math.max(multiple, first.width() / multiple * multiple));
    }
    if (request.height().isEmpty()) {
      builder.height(Math.max(multiple, first.height() / multiple * multiple));
    }
    return builder.build();
  }
}
