package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.image.ImageProcessor;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against transformers' CLIPImageProcessor 4.57.6, on a picture of 3 x 5 rising levels. */
class ImageProcessorConfigTest {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private static ImageProcessor processor(String json) throws IOException {
    return new ImageProcessorConfig(
            new ConfigFile("preprocessor_config.json", JSON.readTree(json.replace('\'', '"'))))
        .processor();
  }

  private static BufferedImage rising() {
    BufferedImage image = new BufferedImage(3, 5, BufferedImage.TYPE_INT_RGB);
    for (int y = 0, level = 0; y < 5; y++) {
      for (int x = 0; x < 3; x++, level += 15) {
        image.setRGB(x, y, level << 16 | level + 5 << 8 | level + 10);
      }
    }
    return image;
  }

  private static void check(String json, int height, int width, double... values)
      throws IOException {
    ImageProcessor.Pixels pixels = processor(json).process(rising());
    assertEquals(height, pixels.height());
    assertEquals(width, pixels.width());
    float[] red = Arrays.copyOf(pixels.values(), values.length);
    float[] expected = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      expected[i] = (float) values[i];
    }
    assertArrayEquals(expected, red, 1e-6f);
  }

  @Test
  void cutsOnePairOfSidesAndFillsUpTheOther() throws IOException {
    check(
        "{'do_resize':false,'crop_size':{'height':4,'width':6},'do_rescale':false,'do_normalize':false}",
        4,
        6,
        new double[] {
          0, 0, 0, 15, 30, 0, 0, 0, 45, 60, 75, 0, 0, 0, 90, 105, 120, 0, 0, 0, 135, 150, 165, 0
        });
  }

  @Test
  void stretchesToBothSides() throws IOException {
    check(
        "{'size':{'height':2,'width':3},'resample':2,'do_center_crop':false}",
        2,
        3,
        -1.135333,
        -0.916357,
        -0.69738,
        0.178525,
        0.397501,
        0.616478,
        -1.001709);
  }

  @Test
  void oldFilesGiveOneNumber() throws IOException {
    check(
        "{'size':2,'crop_size':3,'resample':1,'do_normalize':false}",
        3,
        3,
        0,
        0.070588,
        0.156863,
        0,
        0.368627,
        0.454902,
        0,
        0.666667,
        0.752941);
  }

  @Test
  void absentKeysAreClips() throws IOException {
    ImageProcessor.Pixels pixels = processor("{}").process(rising());
    assertEquals(224, pixels.height());
    assertEquals(224, pixels.width());
    assertEquals(3 * 224 * 224, pixels.values().length);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'size':0}",
        "{'size':{'width':3}}",
        "{'size':{'shortest_edge':100000}}",
        "{'crop_size':'large'}",
        "{'resample':5}",
        "{'image_mean':[1,2]}",
        "{'image_std':[1,0,1]}",
        "{'image_std':[1,'a',1]}"
      })
  void wrongValuesAreNamed(String json) {
    ModelFormatException thrown =
        assertThrows(ModelFormatException.class, () -> processor(json).process(rising()));
    String key = json.substring(2, json.indexOf('\'', 2));
    assertTrue(
        thrown.getMessage().startsWith("preprocessor_config.json: \"" + key), thrown.getMessage());
  }
}
