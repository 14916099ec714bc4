package io.github.diffusion4j.family;

import io.github.diffusion4j.ControlSchedule;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.SteeredNetwork;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The control networks that a UNet can be steered by. Each is checked when the model is opened and
 * opened when a request first asks for it. Thread-safe.
 */
final class ControlNets implements AutoCloseable {

  private static final System.Logger LOG = System.getLogger(ControlNets.class.getName());

  private final OrtRuntime runtime;
  private final Residuals residuals;
  private final Map<String, ControlNet.Signature> signatures;
  private final Map<String, ControlNet> opened = new HashMap<>();

  /** A UNet, perhaps one that takes LoRAs, with control networks in one graph. */
  private record Merged(OrtModel unet, List<String> nets) {}

  private final Map<Merged, OrtModel> merged = new HashMap<>();
  private final Set<List<String>> separate = new HashSet<>(); // that cannot be merged
  private final Closer owned = new Closer();

  private ControlNets(
      OrtRuntime runtime, Residuals residuals, Map<String, ControlNet.Signature> signatures) {
    this.runtime = runtime;
    this.residuals = residuals;
    this.signatures = signatures;
  }

  /**
   * Checks the networks of a model.
   *
   * @param unet takes residuals
   * @param conditions what the UNet is told beside latents and time, and they may be told too
   */
  static ControlNets of(
      ModelLayout layout, OrtRuntime runtime, OrtModel unet, Set<String> conditions)
      throws IOException {
    Residuals residuals =
        Residuals.of(unet.inputs().values(), layout.config("unet"), unet.component());
    Map<String, ControlNet.Signature> signatures = new LinkedHashMap<>();
    for (Map.Entry<String, Path> net : layout.controlNets().entrySet()) {
      ComponentNetwork network = network(net.getKey(), net.getValue());
      Path folder = network.file().toAbsolutePath().getParent();
      ControlNet.Signature signature =
          ControlNet.Signature.of(network, ConfigFile.read(folder, "config.json"));
      signature.requireConditions(conditions);
      residuals.requireSame(signature.residuals(), net.getKey());
      signatures.put(net.getKey(), signature);
    }
    return new ControlNets(runtime, residuals, signatures);
  }

  /** The network of a folder, or of an ONNX file. */
  static ComponentNetwork network(String name, Path place) {
    if (Files.isRegularFile(place)) {
      return new ComponentNetwork(name, place, Optional.empty());
    }
    Path folder = place.toAbsolutePath().normalize();
    return ComponentNetwork.find(folder.getParent(), folder.getFileName().toString())
        .map(found -> new ComponentNetwork(name, found.file(), found.built()))
        .orElseThrow(
            () ->
                new ModelFormatException(
                    place
                        + ": no ControlNet there, expected a folder with config.json and model.onnx"
                        + " or weights (.safetensors)"
                        + WeightFile.instead(folder)));
  }

  /** What the UNet takes. */
  Residuals residuals() {
    return residuals;
  }

  List<String> names() {
    return new ArrayList<>(signatures.keySet());
  }

  /**
   * A network, opened if it is not yet.
   *
   * @throws IllegalArgumentException if there is none of that name
   * @throws UncheckedIOException if its file cannot be read any more
   */
  synchronized ControlNet open(String name) {
    ControlNet.Signature signature = signatures.get(name);
    if (signature == null) {
      throw new IllegalArgumentException(
          "no control network \"" + name + "\", the model has " + signatures.keySet());
    }
    return opened.computeIfAbsent(name, n -> open(signature));
  }

  /** What the networks of a generation take and give, in the order of its signals. */
  List<ControlNet.Signature> signatures(ControlSchedule schedule) {
    return schedule.signals().stream().map(signal -> signatures.get(signal.net())).toList();
  }

  /**
   * The networks of a generation as one graph with the UNet, where that is wanted and possible.
   *
   * @param plain whether the UNet takes no channels beside the latents
   * @throws UncheckedIOException if a file cannot be read any more
   */
  synchronized Optional<OrtModel> merged(ControlSchedule schedule, OrtModel unet, boolean plain) {
    List<ControlNet.Signature> nets = signatures(schedule);
    List<String> names = nets.stream().map(ControlNet.Signature::name).toList();
    if (!runtime.mergesControls() || separate.contains(names)) {
      return Optional.empty();
    }
    try {
      OrtModel model = merged.get(new Merged(unet, names));
      if (model == null) {
        String component = unet.component() + " with " + String.join(", ", names);
        SteeredNetwork network =
            new SteeredNetwork(
                component,
                unet.network(),
                residuals.specs(),
                nets.stream().map(net -> net.guest(plain)).toList());
        model = owned.own(runtime.open(component, network, List.of()));
        merged.put(new Merged(unet, names), model);
      }
      return Optional.of(model);
    } catch (ModelFormatException e) {
      if (!runtime.mayMergeControls()) {
        throw e;
      }
      LOG.log(System.Logger.Level.INFO, "Running control networks separately: " + e.getMessage());
      separate.add(names);
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private ControlNet open(ControlNet.Signature signature) {
    try (Closer open = new Closer()) {
      OrtModel model = open.own(signature.network().open(runtime, List.of()));
      residuals.requireSameTypes(model.outputs(), signature.residuals(), signature.name());
      owned.own(open.release());
      return new ControlNet(signature, model);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public synchronized void close() {
    opened.clear();
    merged.clear();
    owned.close();
  }
}
