package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtEnvironment;
import io.github.diffusion4j.RuntimeReport;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DoctorTest {
  @Test
  void saysWhatThisMachineHas() {
    RuntimeReport report = Doctor.examine();
    assertEquals(
        Optional.of(OrtEnvironment.getEnvironment().getVersion()), report.natives().version());
    assertTrue(report.natives().providers().contains("CPUExecutionProvider"));
    assertEquals(new RuntimeReport.Provider("cpu", true, "works here"), report.providers().get(0));
    assertTrue(report.host().memory().total() >= report.host().memory().available());
    assertTrue(report.host().memory().available() > 0);
    assertTrue(report.host().processors().threads() >= 1);
    for (RuntimeReport.Provider provider : report.providers()) {
      assertFalse(provider.why().isBlank() || provider.why().contains("\n"), provider.toString());
    }
  }

  @Test
  void textNamesEveryProviderOnALineOfItsOwn() {
    RuntimeReport report = Doctor.examine();
    List<String> lines = report.toText().lines().toList();
    for (RuntimeReport.Provider provider : report.providers()) {
      assertEquals(
          1, lines.stream().filter(line -> line.startsWith(provider.name() + " ")).count());
    }
    assertTrue(report.toText().endsWith("\n"));
    assertFalse(report.toText().contains("Optional"), report.toText());
  }
}
