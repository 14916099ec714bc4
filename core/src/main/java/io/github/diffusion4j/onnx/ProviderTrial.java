package io.github.diffusion4j.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/**
 * Proves a provider by the one thing that cannot be faked: it computes a convolution of nine
 * numbers and the answer is compared. Device memory, kernels for the card, the driver and cuDNN all
 * have to work for that.
 */
final class ProviderTrial {
  private static final long[] SHAPE = {1, 1, 3, 3};
  private static final float WEIGHT = 2;

  private ProviderTrial() {}

  /** Adds a provider to a session's options. */
  interface Addition {
    void to(SessionOptions options) throws OrtException;
  }

  /** What went wrong, in one line; empty if the provider computed the right answer. */
  static Optional<String> failure(Addition provider) {
    NativeLibraries.current();
    OrtEnvironment.getEnvironment(); // providers report their errors through its logger
    try (SessionOptions options = new SessionOptions()) {
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      options.setIntraOpNumThreads(1);
      provider.to(options);
      return run(options);
    } catch (OrtException | RuntimeException | LinkageError e) {
      String message = String.valueOf(e.getMessage()).strip();
      return Optional.of("a trial failed: " + message.lines().findFirst().orElse(message));
    }
  }

  private static Optional<String> run(SessionOptions options) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    float[] numbers = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    try (OrtSession session = environment.createSession(model(), options);
        OnnxTensor x = OnnxTensor.createTensor(environment, FloatBuffer.wrap(numbers), SHAPE);
        OrtSession.Result result = session.run(Map.of("x", x))) {
      FloatBuffer y = ((OnnxTensor) result.get(0)).getFloatBuffer();
      for (int i = 0; i < numbers.length; i++) {
        if (!(Math.abs(y.get(i) - WEIGHT * numbers[i]) < 0.1f)) {
          return Optional.of("a trial computed " + WEIGHT + " * " + numbers[i] + " = " + y.get(i));
        }
      }
      return Optional.empty();
    }
  }

  /** An ONNX model, y = Conv(x, w) with one 1×1 kernel, as protocol buffer bytes. */
  static byte[] model() {
    Message weight = new Message();
    for (int i = 0; i < SHAPE.length; i++) {
      weight.number(1, 1); // dims
    }
    byte[] raw =
        ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN).putFloat(WEIGHT).array();
    weight.number(2, 1).text(8, "w").bytes(9, raw); // float, name, raw_data
    Message node = new Message().text(1, "x").text(1, "w").text(2, "y").text(4, "Conv");
    Message graph =
        new Message()
            .message(1, node)
            .text(2, "trial")
            .message(5, weight)
            .message(11, value("x"))
            .message(12, value("y"));
    Message opset = new Message().text(1, "").number(2, 13);
    return new Message().number(1, 8).message(7, graph).message(8, opset).toByteArray();
  }

  private static Message value(String name) {
    Message shape = new Message();
    for (long size : SHAPE) {
      shape.message(1, new Message().number(1, (int) size));
    }
    Message tensor = new Message().number(1, 1).message(2, shape);
    return new Message().text(1, name).message(2, new Message().message(1, tensor));
  }

  /** A protocol buffer message under construction. */
  private static final class Message {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Message number(int field, int value) {
      varint(field << 3);
      varint(value);
      return this;
    }

    Message bytes(int field, byte[] value) {
      varint(field << 3 | 2);
      varint(value.length);
      out.writeBytes(value);
      return this;
    }

    Message text(int field, String value) {
      return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    Message message(int field, Message value) {
      return bytes(field, value.toByteArray());
    }

    byte[] toByteArray() {
      return out.toByteArray();
    }

    private void varint(int value) {
      int rest = value;
      while (rest >= 0x80) {
        out.write(rest & 0x7f | 0x80);
        rest >>>= 7;
      }
      out.write(rest);
    }
  }
}
