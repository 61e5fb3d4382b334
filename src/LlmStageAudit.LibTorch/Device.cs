using System.Globalization;

namespace LlmStageAudit.LibTorch;

public static partial class torch
{
    /// <summary>Where a tensor lives: "cpu", "cuda" or "cuda:N".</summary>
    public sealed record Device
    {
        /// <exception cref="ArgumentException">The text names no device.</exception>
        public Device(string text)
        {
            var parts = text.Split(':');
            type = parts[0];
            var known = type is "cpu" or "cuda" && parts.Length <= 2;
            var number = 0;
            if (!known || (parts.Length == 2 && !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out number)))
                throw new ArgumentException($"'{text}' names no device; expected cpu, cuda or cuda:N", nameof(text));
            index = number;
        }

        public string type { get; }

        public int index { get; }

        public override string ToString() => type == "cpu" ? "cpu" : $"{type}:{index}";
    }

    public static Device CPU { get; } = new("cpu");

    /// <summary>Element types, numbered as in libtorch.</summary>
    public enum ScalarType
    {
        Byte = 0,
        Int8 = 1,
        Int16 = 2,
        Int32 = 3,
        Int64 = 4,
        Float16 = 5,
        Float32 = 6,
        Float64 = 7,
        Bool = 11,
        BFloat16 = 15,
    }

    public const ScalarType float32 = ScalarType.Float32;
    public const ScalarType float64 = ScalarType.Float64;
    public const ScalarType bfloat16 = ScalarType.BFloat16;
    public const ScalarType float16 = ScalarType.Float16;
    public const ScalarType int64 = ScalarType.Int64;
    public const ScalarType @bool = ScalarType.Bool;
}
