namespace LlmStageAudit.Checkpoints.Safetensors;

/// <summary>Element types of the safetensors format, named as its header spells them.</summary>
public enum SafetensorsDtype
{
    BOOL,
    F4,
    F6_E2M3,
    F6_E3M2,
    U8,
    I8,
    F8_E5M2,
    F8_E4M3,
    F8_E8M0,
    F8_E4M3FNUZ,
    F8_E5M2FNUZ,
    I16,
    U16,
    F16,
    BF16,
    I32,
    U32,
    F32,
    C64,
    F64,
    I64,
    U64,
}

/// <summary>Element sizes, and the way from a header's spelling to the enum.</summary>
public static class SafetensorsDtypes
{
    private static readonly Dictionary<string, SafetensorsDtype> BySpelling =
        Enum.GetValues<SafetensorsDtype>().ToDictionary(dtype => dtype.ToString(), StringComparer.Ordinal);

    /// <summary>Every spelling a header may use.</summary>
    public static IReadOnlyCollection<string> Spellings => BySpelling.Keys;

    /// <summary>Finds a dtype by its exact, case-sensitive spelling in a header.</summary>
    public static bool TryParse(string spelling, out SafetensorsDtype dtype) => BySpelling.TryGetValue(spelling, out dtype);

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
