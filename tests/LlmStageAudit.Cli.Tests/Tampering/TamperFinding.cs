using System.Text.Json;
using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Tampering;

/// <summary>What must be found.</summary>
/// <param name="File">The file that must be named.</param>
/// <param name="Record">The record that must be named; null: none needs to be.</param>
/// <param name="Kinds">What it may be called; empty: anything.</param>
internal sealed record Expectation(string File, int? Record, params string[] Kinds)
{
    /// <summary>Whether nothing but this record may be blamed in the file.</summary>
    public bool IsAlone { get; init; }

    /// <summary>The field that must be named.</summary>
    public string? Field { get; init; }
}

/// <summary>What was found.</summary>
internal sealed record TamperFinding(string File, int? Record, string? Field, string Kind, string Message)
{
    public static TamperFinding Of(JsonElement finding) => new(
        finding.Text("file"),
        finding.TryGetProperty("record", out var record) ? record.GetInt32() : null,
        finding.TryGetProperty("field", out var field) ? field.GetString() : null,
        finding.Text("kind"),
        finding.Text("message"));

    public bool Fulfils(Expectation expected) => File == expected.File
        && (expected.Record is null || Record == expected.Record)
        && (expected.Field is null || Field == expected.Field)
        && (expected.Kinds.Length == 0 || expected.Kinds.Contains(Kind));
}
