namespace LlmStageAudit.Checkpoints.Safetensors;

/// <summary>Element types of the safetensors format, named as its header spells them.</summary>
public enum SafetensorsDtype
{
    /// <summary>Truth values, one byte each.</summary>
    BOOL,
    /// <summary>4-bit floats, packed.</summary>
    F4,
    /// <summary>6-bit floats of 2 exponent and 3 mantissa bits, packed.</summary>
    F6_E2M3,
    /// <summary>6-bit floats of 3 exponent and 2 mantissa bits, packed.</summary>
    F6_E3M2,
    /// <summary>8-bit unsigned integers.</summary>
    U8,
    /// <summary>8-bit signed integers.</summary>
    I8,
    /// <summary>8-bit floats of 5 exponent and 2 mantissa bits.</summary>
    F8_E5M2,
    /// <summary>8-bit floats of 4 exponent and 3 mantissa bits.</summary>
    F8_E4M3,
    /// <summary>8-bit powers of two, as scales are kept in.</summary>
    F8_E8M0,
    /// <summary>8-bit floats of 4 exponent and 3 mantissa bits, without infinities and negative zero.</summary>
    F8_E4M3FNUZ,
    /// <summary>8-bit floats of 5 exponent and 2 mantissa bits, without infinities and negative zero.</summary>
    F8_E5M2FNUZ,
    /// <summary>16-bit signed integers.</summary>
    I16,
    /// <summary>16-bit unsigned integers.</summary>
    U16,
    /// <summary>IEEE half precision.</summary>
    F16,
    /// <summary>bfloat16: the upper half of a float32.</summary>
    BF16,
    /// <summary>32-bit signed integers.</summary>
    I32,
    /// <summary>32-bit unsigned integers.</summary>
    U32,
    /// <summary>IEEE single precision.</summary>
    F32,
    /// <summary>Complex numbers of two float32.</summary>
    C64,
    /// <summary>IEEE double precision.</summary>
    F64,
    /// <summary>64-bit signed integers.</summary>
    I64,
    /// <summary>64-bit unsigned integers.</summary>
    U64,
}

/// <summary>Element sizes, and the way from a header's spelling to the enum.</summary>
internal static class SafetensorsDtypes
{
    /// <summary>Every spelling a header may use.</summary>
    public static IReadOnlyCollection<string> Spellings => Enum.GetNames<SafetensorsDtype>();

    /// <summary>Finds a dtype by its exact, case-sensitive spelling in a header.</summary>
    public static bool TryParse(string spelling, out SafetensorsDtype dtype) =>
        Enum.TryParse(spelling, out dtype) && Enum.IsDefined(dtype) && dtype.ToString() == spelling;

    /// <summary>Bits of one element; 4 and 6 for the packed types, otherwise a whole number of bytes.</summary>
    public static int SizeBits(this SafetensorsDtype dtype) => dtype switch
    {
        SafetensorsDtype.F4 => 4,
        SafetensorsDtype.F6_E2M3 or SafetensorsDtype.F6_E3M2 => 6,
        SafetensorsDtype.I16 or SafetensorsDtype.U16 or SafetensorsDtype.F16 or SafetensorsDtype.BF16 => 16,
        SafetensorsDtype.I32 or SafetensorsDtype.U32 or SafetensorsDtype.F32 => 32,
        SafetensorsDtype.C64 or SafetensorsDtype.F64 or SafetensorsDtype.I64 or SafetensorsDtype.U64 => 64,
        _ => 8,
    };
}
