package io.github.diffusion4j.bench;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import ai.onnxruntime.platform.Fp16Conversions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/** A tensor of an input's or output's type over a direct buffer. */
final class BareTensor implements AutoCloseable {

  private final String name;
  private final OnnxJavaType type;
  private final int elements;
  private final ByteBuffer bytes;
  private final OnnxTensor tensor;

  private BareTensor(String name, TensorInfo info, long... shape) throws OrtException {
    this.name = name;
    this.type = info.type;
    long count = 1;
    for (long dim : shape) {
      count = Math.multiplyExact(count, dim);
    }
    elements = Math.toIntExact(count);
    bytes =
        ByteBuffer.allocateDirect(Math.multiplyExact(elements, type.size))
            .order(ByteOrder.nativeOrder());
    tensor =
        OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), bytes.duplicate(), shape, type);
  }

  static BareTensor like(OrtSession session, String input, long... shape) throws OrtException {
    return new BareTensor(input, (TensorInfo) session.getInputInfo().get(input).getInfo(), shape);
  }

  /** The first output. */
  static BareTensor output(OrtSession session, long... shape) throws OrtException {
    String name = session.getOutputNames().iterator().next();
    return new BareTensor(name, (TensorInfo) session.getOutputInfo().get(name).getInfo(), shape);
  }

  /** A timestep of the rank that the network has. */
  static BareTensor timestep(OrtSession session, int rows) throws OrtException {
    TensorInfo info = (TensorInfo) session.getInputInfo().get("timestep").getInfo();
    long[] shape = info.getShape();
    for (int i = 0; i < shape.length; i++) {
      shape[i] = shape[i] < 0 ? rows : shape[i];
    }
    return new BareTensor("timestep", info, shape);
  }

  int elements() {
    return elements;
  }

  OnnxTensor tensor() {
    return tensor;
  }

  Map<String, OnnxTensor> named() {
    return Map.of(name, tensor);
  }

  void put(float... values) {
    for (int i = 0; i < elements; i++) {
      put(i, values[i]);
    }
  }

  void put(long... values) {
    for (int i = 0; i < elements; i++) {
      put(i, values[i]);
    }
  }

  void fill(double value) {
    for (int i = 0; i < elements; i++) {
      put(i, value);
    }
  }

  /** Raw values of the same type, behind those appended before. */
  void append(byte[] values) {
    bytes.put(values);
  }

  private void put(int at, double value) {
    switch (type) {
      case FLOAT -> bytes.putFloat(at * Float.BYTES, (float) value);
      case DOUBLE -> bytes.putDouble(at * Double.BYTES, value);
      case FLOAT16 -> bytes.putShort(at * Short.BYTES, Fp16Conversions.floatToFp16((float) value));
      case BFLOAT16 -> bytes.putShort(at * Short.BYTES, Fp16Conversions.floatToBf16((float) value));
      case INT64 -> bytes.putLong(at * Long.BYTES, (long) value);
      case INT32 -> bytes.putInt(at * Integer.BYTES, (int) value);
      default -> throw new IllegalStateException(name + ": numbers do not go into " + type);
    }
  }

  /** The first value of the only tensor: proof that something was computed. */
  static float first(Map<String, OnnxTensor> named) {
    return named.values().iterator().next().getByteBuffer().get(0);
  }

  @Override
  public void close() {
    tensor.close();
  }
}
