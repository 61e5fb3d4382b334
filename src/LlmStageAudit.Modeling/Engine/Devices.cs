using System.Globalization;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>Where tensors live, as it is written. TorchSharp takes "cuda" for no particular one.</summary>
public static class Devices
{
    /// <summary>Reads the spelling of a device.</summary>
    /// <param name="text">cpu, cuda (the first) or cuda:N.</param>
    /// <exception cref="ArgumentException">The text names no device.</exception>
    public static Device Parse(string text)
    {
        if (text == "cpu") return new Device(DeviceType.CPU);
        var number = text == "cuda" ? "0" : text.StartsWith("cuda:", StringComparison.Ordinal) ? text["cuda:".Length..] : "";
        return int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? new Device(DeviceType.CUDA, index)
            : throw new ArgumentException($"'{text}' names no device; expected cpu, cuda or cuda:N", nameof(text));
    }

    /// <summary>Whether two name one place; TorchSharp compares them by reference.</summary>
    public static bool IsSameAs(this Device device, Device other) =>
        device.type == other.type && (device.type == DeviceType.CPU || Math.Max(device.index, 0) == Math.Max(other.index, 0));

    /// <summary>The devices of this machine, as they are written: cpu first.</summary>
    /// <exception cref="EngineException">There is no engine to ask.</exception>
    public static IReadOnlyList<string> Here
    {
        get
        {
            TorchEngine.Require();
            return ["cpu", .. Enumerable.Range(0, cuda.device_count()).Select(index => $"cuda:{index}")];
        }
    }
}
