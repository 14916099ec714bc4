package io.github.diffusion4j.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The series against the library's logarithm, cosine and sine. */
class BoxMullerTest {

  private static final long SEED = 11;
  private static final double LIMIT = 2e-9;

  private final BoxMuller pairs = new BoxMuller();

  private void check(double[] uniforms, double[] angles) {
    for (int i = 0; i < uniforms.length; i++) {
      pairs.set(i, uniforms[i], angles[i]);
    }
    pairs.transform(uniforms.length);
    for (int i = 0; i < uniforms.length; i++) {
      double radius = Math.sqrt(-2 * Math.log(uniforms[i]));
      String at = "seed " + SEED + ": " + uniforms[i] + ", " + angles[i];
      assertEquals(radius * Math.cos(angles[i]), pairs.cosine(i), LIMIT, at);
      assertEquals(radius * Math.sin(angles[i]), pairs.sine(i), LIMIT, at);
    }
  }

  @Test
  void equalsTheLibraryEverywhere() {
    Random random = new Random(SEED);
    for (int draw = 0; draw < 400; draw++) {
      double[] uniforms = new double[BoxMuller.CAPACITY];
      double[] angles = new double[uniforms.length];
      for (int i = 0; i < uniforms.length; i++) {
        uniforms[i] = 1 - random.nextDouble();
        angles[i] = 2 * Math.PI * random.nextDouble();
      }
      check(uniforms, angles);
    }
  }

  @Test
  void equalsTheLibraryAtTheEnds() {
    double root = Math.sqrt(0.5);
    double[] uniforms = {
      1,
      1 - 0x1p-24,
      1 - 0x1p-53,
      root,
      Math.nextUp(root),
      Math.nextDown(root),
      0.5,
      0x1p-24,
      0x1p-54
    };
    double largest = (float) (2 * Math.PI);
    for (double angle : new double[] {0, 1e-9, Math.PI / 2, Math.PI, 3, 6, largest}) {
      double[] angles = new double[uniforms.length];
      Arrays.fill(angles, angle);
      check(uniforms, angles);
    }
  }

  @Test
  void transformsNoMoreThanAsked() {
    pairs.set(0, 0.5, 1);
    pairs.set(1, 0.25, 2);
    pairs.transform(1);
    assertEquals(0.25, pairs.cosine(1));
    assertEquals(2, pairs.sine(1));
  }
}
