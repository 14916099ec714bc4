package io.github.diffusion4j.onnx;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.LowRank;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A weight with a change of low rank added to it: computed each time it is read, some rows at a
 * time, so that only these are in memory.
 *
 * @param rows the weight as it is
 * @param change what is added, of the weight's shape
 * @param type what the sums are rounded to
 */
public record ChangedElements(Rows rows, LowRank change, ElementType type)
    implements BuiltModel.Elements {

  /** Values of one part. */
  private static final int PART = 1 << 18;

  /** A weight's rows. */
  @FunctionalInterface
  public interface Rows {

    /**
     * Reads rows.
     *
     * @param from the first
     * @param to the one after the last
     * @return row-major; the caller's own
     * @throws IOException if a file cannot be read
     */
    float[] read(int from, int to) throws IOException;
  }

  /** Checks that the parts are there. */
  public ChangedElements {
    requireNonNull(rows, "rows");
    requireNonNull(change, "change");
    requireNonNull(type, "type");
  }

  @Override
  public void writeTo(BuiltModel.Sink sink) throws IOException {
    int out = change.shape().out();
    int columns = change.shape().columns();
    int count = Math.min(out, Math.max(1, PART / columns));
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(count * columns, type.bytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int from = 0; from < out; from += count) {
      int to = Math.min(out, from + count);
      float[] values = rows.read(from, to);
      change.rows(from, to).addTo(values);
      bytes.clear();
      for (float value : values) {
        type.put(bytes, value);
      }
      sink.accept(bytes.flip());
    }
  }
}
