package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.InferenceException;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.lora.LoraLayers;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * A network with changes of its layers, which each binding is given anew. Thread-safe.
 *
 * @param model takes the changes
 * @param changes by layer; empty for a network as it is
 */
record ChangedNetwork(OrtModel model, Map<String, LowRank> changes) {

  ChangedNetwork {
    changes = Map.copyOf(changes);
  }

  /** A network as it is. */
  static ChangedNetwork none(OrtModel model) {
    return new ChangedNetwork(model, Map.of());
  }

  /**
   * A network changed by LoRAs. Where it has no inputs for their layers, the first time this opens
   * the network once more.
   *
   * @throws io.github.diffusion4j.ModelFormatException if a LoRA is for another kind of model
   */
  static ChangedNetwork of(OrtModel model, LoraSet loras) {
    if (loras.of(model.component()).isEmpty()) {
      return none(model);
    }
    try {
      Map<String, LowRank> changes = LoraLayers.find(loras, model.component(), model.layers());
      return new ChangedNetwork(model.changeable(changes.keySet()), changes);
    } catch (IOException e) {
      throw new InferenceException(model.component(), "cannot be opened for a LoRA", e);
    }
  }

  /** This network with one more change of its graph. */
  ChangedNetwork edited(GraphEdit edit) throws IOException {
    return new ChangedNetwork(model.edited(edit), changes);
  }

  /** This network with those changes only that are of its own layers: it is a part of another. */
  ChangedNetwork ofOwnLayers() {
    Map<String, LowRank> own = new HashMap<>(changes);
    own.keySet().removeIf(layer -> !model.takesChangeOf(layer));
    return new ChangedNetwork(model, own);
  }

  /** Prepares runs of one generation. */
  OrtBinding bind(CancelToken cancel) {
    OrtBinding binding = model.bind(cancel);
    try {
      binding.change(changes);
      return binding;
    } catch (RuntimeException | Error e) {
      binding.close();
      throw e;
    }
  }
}
