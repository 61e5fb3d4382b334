using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace LlmStageAudit.Records.Serialization;

/// <summary>A record that one verb writes and the next one reads, as a JSON file that says what it is.</summary>
/// <typeparam name="TSelf">The record itself.</typeparam>
public interface IArtifact<TSelf>
    where TSelf : IArtifact<TSelf>
{
    /// <summary>What a file of this type has in <c>kind</c>.</summary>
    static abstract string KindName { get; }

    /// <summary>The newest schema this version reads, and the one it writes.</summary>
    static virtual int CurrentSchemaVersion => 1;

    /// <summary>Brings what a file of an older schema holds to the current one, in place.</summary>
    /// <param name="old">The whole file.</param>
    /// <param name="schemaVersion">Its schema, below the current one.</param>
    static virtual void Upgrade(JsonObject old, int schemaVersion)
    {
    }

    /// <summary>The schema of the file, from 1; of an older one that was read, the current.</summary>
    int SchemaVersion { get; }

    /// <summary>What the file says it is; <see cref="KindName"/>, or it is refused.</summary>
    string Kind { get; }

    /// <summary>The first rule of the record's own that it breaks, as "field: what is wrong"; null: none.</summary>
    string? Fault() => null;
}

/// <summary>What every file about a run begins with.</summary>
/// <typeparam name="TSelf">The record itself.</typeparam>
public abstract record RunArtifact<TSelf>
    where TSelf : RunArtifact<TSelf>, IArtifact<TSelf>
{
    /// <inheritdoc cref="IArtifact{TSelf}.SchemaVersion"/>
    [JsonPropertyOrder(-3)]
    public int SchemaVersion { get; init; } = TSelf.CurrentSchemaVersion;

    /// <inheritdoc cref="IArtifact{TSelf}.Kind"/>
    [JsonPropertyOrder(-2)]
    public string Kind { get; init; } = TSelf.KindName;

    /// <summary>Id of the run it is about: 32 hexadecimal digits, see <see cref="Runs.RunIdentity"/>.</summary>
    [JsonPropertyOrder(-1)]
    public required string RunId { get; init; }
}
