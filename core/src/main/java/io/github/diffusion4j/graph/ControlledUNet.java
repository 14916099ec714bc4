package io.github.diffusion4j.graph;

import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.GraphEdit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A UNet and the ControlNets that steer it, as one graph: residuals never leave it. It has the
 * UNet's inputs, and for each ControlNet {@code controlnet_cond} and {@code conditioning_scale},
 * from the second on with the suffixes {@code _1}, {@code _2} and so on. A ControlNet that takes
 * fewer channels than the UNet reads the first ones. Immutable.
 */
public final class ControlledUNet implements Architecture {

  private final UNet unet;
  private final List<ControlNet> nets;

  /**
   * A UNet with its ControlNets.
   *
   * @param unet the UNet
   * @param nets one or more
   * @throws ModelFormatException if a ControlNet is of another kind of UNet
   */
  public ControlledUNet(UNet unet, List<ControlNet> nets) {
    this.unet = unet;
    this.nets = List.copyOf(nets);
    if (nets.isEmpty()) {
      throw new IllegalArgumentException("nets must not be empty");
    }
    for (ControlNet net : nets) {
      Optional<String> misfit = net.misfit(unet.config());
      if (misfit.isPresent()) {
        throw new ModelFormatException(
            "controlnet: does not fit the UNet, it has "
                + misfit.get()
                + "; take one that was made for this model");
      }
    }
  }

  /**
   * The weights of all networks as this architecture looks them up.
   *
   * @param unet the UNet's
   * @param nets the ControlNets', in their order
   * @return where they are
   */
  public static WeightSource weights(WeightSource unet, List<WeightSource> nets) {
    List<WeightSource> others = List.copyOf(nets);
    return new WeightSource() {
      @Override
      public Path file() {
        return unet.file();
      }

      @Override
      public Weights open(Closer open) throws IOException {
        Map<String, Weights> parts = new LinkedHashMap<>();
        for (int i = 0; i < others.size(); i++) {
          parts.put("controlnet." + i + ".", others.get(i).open(open));
        }
        parts.put("", unet.open(open));
        return new Joined(parts);
      }
    };
  }

  @Override
  public void addTo(Graph graph, List<GraphEdit> edits) {
    UNet.refuse(edits);
    UNetConfig config = unet.config();
    UNetInputs inputs = UNetInputs.declare(graph, config, unet.pooledWidth());
    List<UNet.Residuals> all = new ArrayList<>();
    for (int i = 0; i < nets.size(); i++) {
      Scope module = graph.root().at("controlnet", i);
      all.add(nets.get(i).residuals(module, inputs, i == 0 ? "" : "_" + i));
    }
    UNet.Residuals sum = all.stream().reduce(UNet.Residuals::plus).orElseThrow();
    UNetLayers layers = UNetLayers.of(config, graph.root(), inputs);
    UNetLayers.Encoded encoded = layers.encode(layers.enter(inputs.sample()));
    Value mid = layers.mid(encoded.last());
    UNetLayers.Encoded steered = sum.addTo(new UNetLayers.Encoded(encoded.skips(), mid));
    UNet.finish(graph, inputs, layers.decode(steered), config);
  }

  @Override
  public boolean tolerates(String key) {
    return false;
  }

  /** Several models' weights, the keys of each after a prefix. */
  private record Joined(Map<String, Weights> parts) implements Weights {

    @Override
    public Optional<Weight> find(String key) {
      for (Map.Entry<String, Weights> part : parts.entrySet()) {
        if (key.startsWith(part.getKey())) {
          return part.getValue().find(key.substring(part.getKey().length()));
        }
      }
      return Optional.empty();
    }

    @Override
    public Set<String> keys() {
      Set<String> keys = new LinkedHashSet<>();
      parts.forEach((prefix, weights) -> weights.keys().forEach(key -> keys.add(prefix + key)));
      return keys;
    }

    @Override
    public String source() {
      return String.join(", ", parts.values().stream().map(Weights::source).toList());
    }
  }
}
