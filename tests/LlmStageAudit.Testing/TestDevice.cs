namespace LlmStageAudit.Testing;

/// <summary>Where tests compute: what STAGEAUDIT_TEST_DEVICE names (cpu, cuda or cuda:N), else the CPU.</summary>
public static class TestDevice
{
    public static Device Current { get; } =
        Environment.GetEnvironmentVariable("STAGEAUDIT_TEST_DEVICE") is { Length: > 0 } text ? Devices.Parse(text) : CPU;
}
