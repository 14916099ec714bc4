package io.github.diffusion4j.onnx;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.Floats;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.onnx.schema.AttributeProto;
import io.github.diffusion4j.onnx.schema.TensorProto;
import io.github.diffusion4j.onnx.schema.TensorShapeProto;
import io.github.diffusion4j.onnx.schema.TypeProto;
import io.github.diffusion4j.onnx.schema.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A UNet and the control networks that steer it as one graph, so that residuals never leave the
 * device. The residuals of all networks, each row's times a scale, are summed up in place of the
 * UNet's inputs for them. An input {@code x} of control network k that is not also the UNet's is
 * called {@code control_k/x}.
 *
 * @param component what messages call it
 * @param unet takes residuals
 * @param residuals its inputs that take them, with types
 * @param guests the control networks
 */
public record SteeredNetwork(
    String component, NetworkSource unet, List<TensorSpec> residuals, List<Guest> guests)
    implements NetworkSource {

  /** Name of the input with a network's scales: 32-bit floats [residuals, rows, 1, 1, 1]. */
  public static final String SCALES = "scales";

  /**
   * A control network.
   *
   * @param network gives residuals
   * @param outputs its outputs in the order of the UNet's residuals
   * @param own its inputs that are not the UNet's though called alike; others of the same name,
   *     type and shape are shared
   * @param scale its own input for a scale, which becomes 1
   */
  public record Guest(
      NetworkSource network, List<String> outputs, Set<String> own, Optional<TensorSpec> scale) {
    /** Copies the collections. */
    public Guest {
      requireNonNull(network, "network");
      outputs = List.copyOf(outputs);
      own = Set.copyOf(own);
      requireNonNull(scale, "scale");
    }
  }

  /** Copies the lists. */
  public SteeredNetwork {
    requireNonNull(component, "component");
    requireNonNull(unet, "unet");
    residuals = List.copyOf(residuals);
    guests = List.copyOf(guests);
  }

  /**
   * The name of a control network's input that is not the UNet's.
   *
   * @param guest index of the network
   * @param input its own name
   * @return the name in this network
   */
  public static String name(int guest, String input) {
    return "control_" + guest + "/" + input;
  }

  @Override
  public BuiltModel build(OrtRuntime runtime, List<GraphEdit> edits) throws IOException {
    NetworkMerge merge = new NetworkMerge(component, unet.build(runtime, edits));
    for (int k = 0; k < guests.size(); k++) {
      Guest guest = guests.get(k);
      merge.add(name(k, ""), guest.network().build(runtime, List.of()), guest.own());
      if (guest.scale().isPresent()) {
        one(merge, k, guest.scale().get());
      }
      merge.input(scales(name(k, SCALES)));
    }
    for (int i = 0; i < residuals.size(); i++) {
      merge.drop(residuals.get(i).name());
      merge.constant(index(i));
      sum(merge, i);
    }
    return merge.build();
  }

  /** The network's own scale: a one of its type and rank. */
  private static void one(NetworkMerge merge, int guest, TensorSpec scale) {
    TensorProto.Builder one =
        TensorProto.newBuilder()
            .setName(name(guest, "one"))
            .setDataType(TensorProto.DataType.FLOAT.getNumber())
            .addFloatData(1);
    for (int axis = 0; axis < scale.rank(); axis++) {
      one.addDims(1);
    }
    merge.constant(one.build());
    merge.drop(name(guest, scale.name()));
    cast(merge, name(guest, scale.name()), one.getName(), scale.type());
  }

  private static void cast(NetworkMerge merge, String output, String input, ElementType type) {
    merge.node("Cast", output, input).addAttribute(number("to", OnnxType.code(type)));
  }

  private static AttributeProto number(String name, long value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  private ValueInfoProto scales(String name) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    shape.addDimBuilder().setDimValue(residuals.size());
    shape.addDimBuilder().setDimParam(name + "_rows");
    for (int axis = 0; axis < 3; axis++) {
      shape.addDimBuilder().setDimValue(1);
    }
    TypeProto.Tensor.Builder type =
        TypeProto.Tensor.newBuilder()
            .setElemType(TensorProto.DataType.FLOAT.getNumber())
            .setShape(shape);
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(TypeProto.newBuilder().setTensorType(type))
        .build();
  }

  private static TensorProto index(int residual) {
    return TensorProto.newBuilder()
        .setName("control/" + residual)
        .setDataType(TensorProto.DataType.INT64.getNumber())
        .addInt64Data(residual)
        .build();
  }

  private void sum(NetworkMerge merge, int residual) {
    TensorSpec target = residuals.get(residual);
    String sum = "";
    for (int k = 0; k < guests.size(); k++) {
      String scale = name(k, "scale_" + residual);
      boolean cast = target.type() != ElementType.FLOAT32;
      String picked = cast ? scale + "_float" : scale;
      merge
          .node("Gather", picked, name(k, SCALES), "control/" + residual)
          .addAttribute(number("axis", 0));
      if (cast) {
        cast(merge, scale, picked, target.type());
      }
      boolean last = k == guests.size() - 1;
      String scaled = k == 0 && last ? target.name() : name(k, "residual_" + residual);
      String given = name(k, "given_" + residual); // networks may compute in other precisions
      cast(merge, given, name(k, guests.get(k).outputs().get(residual)), target.type());
      merge.node("Mul", scaled, given, scale);
      if (k > 0) {
        String next = last ? target.name() : name(k, "sum_" + residual);
        merge.node("Add", next, sum, scaled);
        sum = next;
      } else {
        sum = scaled;
      }
    }
  }

  @Override
  public List<GraphEdit> edits() {
    return unet.edits();
  }

  @Override
  public Path file() {
    return unet.file();
  }

  @Override
  public List<Path> otherFiles() {
    return Stream.concat(
            unet.otherFiles().stream(),
            guests.stream()
                .map(Guest::network)
                .flatMap(net -> Stream.concat(Stream.of(net.file()), net.otherFiles().stream())))
        .toList();
  }

  @Override
  public Optional<Floats> weightEnding(String suffix) throws IOException {
    return unet.weightEnding(suffix);
  }

  @Override
  public Map<String, LowRank.Shape> layers() throws IOException {
    return unet.layers();
  }
}
