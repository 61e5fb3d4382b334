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

    /// <summary>The libraries of an installed PyTorch; null for those that come with the command.</summary>
    public string? LibTorch { get; init; }

    /// <exception cref="InvalidOperationException">The command does not succeed.</exception>
    public CommandOutcome Succeed(params string[] args) => Run(args).OrThrow([.. args, .. Arguments]);

    public CommandOutcome Run(params string[] args) =>
        BuiltCommand.Run(Repository.Command, [.. Environment, ("LIBTORCH", LibTorch ?? "")], [.. args, .. Arguments]);
}
