using LlmStageAudit.Benchmarks.Commands;

namespace LlmStageAudit.Benchmarks.Determinism;

/// <summary>What computes: the built command with threads, kernels and a libtorch beneath it.</summary>
/// <param name="Name">As the table shows it.</param>
/// <param name="Arguments">Options of every command.</param>
internal sealed record Engine(string Name, params string[] Arguments)
{
    public static readonly Engine OneThread = new("the same again", "--threads", "1");

    /// <summary>Variables beside this process's.</summary>
    public (string Name, string Value)[] Environment { get; init; } = [];

    /// <summary>Examples per pass; null for all.</summary>
    public int? MicroBatchSize { get; init; }

    /// <summary>The release of Debian whose libtorch it is; null for the one that was built with.</summary>
    public string? Suite { get; init; }

    /// <exception cref="InvalidOperationException">The command does not succeed.</exception>
    public CommandOutcome Succeed(params string[] args) => Run(args).OrThrow([.. args, .. Arguments]);

    public CommandOutcome Run(params string[] args) => Suite is null
        ? BuiltCommand.Run(["dotnet", Repository.Command], Environment, [.. args, .. Arguments])
        : BuiltCommand.Run([Repository.OtherLibTorch, Suite, "run"], Environment, [.. args, .. Arguments]);
}
