namespace LlmStageAudit.Modeling.Tests.Engine.Operators;

/// <summary>Nothing that a wrong shape, type, device or size can cause ends the process.</summary>
public sealed class OperatorTests
{
    private const string Room = "LlmStageAudit.Modeling.Engine.";

    private static readonly Lazy<IReadOnlyList<TorchUse>> s_uses = new(() => [.. Assemblies().SelectMany(TorchUse.Of)]);

    [Fact]
    public void Wrong_calls_end_in_exceptions()
    {
        var outcomes = OperatorProcess.Run(nameof(OperatorCatalogue.Calls));
        var faults = outcomes.Where(made => !IsGood(made.Call, made.Outcome)).Select(made => $"{made.Call}: {made.Outcome}").ToList();
        Assert.True(faults.Count == 0, $"{faults.Count} of {outcomes.Count}:\n{string.Join('\n', faults)}");
        Assert.True(outcomes.Count > 1000);

        static bool IsGood(WrongCall call, string outcome) =>
            outcome.StartsWith(OperatorProcess.Failed, StringComparison.Ordinal) || (!call.Fails && outcome == OperatorProcess.Answered);
    }

    [Fact]
    public void What_is_forbidden_ends_the_process_and_the_rest_goes_on() => Assert.Equal(
        [OperatorProcess.Died, OperatorProcess.Failed, OperatorProcess.Died, OperatorProcess.Died],
        OperatorProcess.Run(nameof(OperatorCatalogue.Deadly)).Select(made => made.Outcome.Split(' ')[0]));

    [Fact]
    public void Every_member_in_use_is_in_the_catalogue()
    {
        var known = OperatorCatalogue.Calls.Select(call => call.Member).Concat(OperatorCatalogue.Harmless.Keys)
            .Concat(OperatorCatalogue.Guarded.Keys).ToHashSet();
        var used = s_uses.Value.Select(use => use.Member).Where(member => !IsType(member)).Distinct().ToList();
        Assert.Empty(used.Where(member => !known.Contains(member)).Order());
        Assert.True(used.Count > 80);

        // A type alone, as in casts and typeof.
        static bool IsType(string member) => !member.Contains('(', StringComparison.Ordinal) && !OperatorCatalogue.Harmless.ContainsKey(member);
    }

    [Fact]
    public void What_ends_the_process_or_misleads_is_not_used()
    {
        var faults = s_uses.Value.Select(use => Fault(use) is { } fault ? $"{use.User} uses {use.Member}: {fault}" : null).OfType<string>();
        Assert.Empty(faults.Distinct().Order());

        static string? Fault(TorchUse use)
        {
            if (OperatorCatalogue.Forbidden.FirstOrDefault(entry => use.Member.StartsWith(entry.Key, StringComparison.Ordinal)) is { Value: { } remedy })
                return remedy;
            if (OperatorCatalogue.Guarded.TryGetValue(use.Member, out var owner) && use.User != owner) return $"only {owner} may";
            // sum(0) means sum(ScalarType.Byte): a type in a nullable is made just before the call.
            if (use.Member == "Tensor.sum(ScalarType?)" && use.Before.StartsWith("newobj", StringComparison.Ordinal)) return "sum(0L) is the dimension";
            var isDevice = use.Member is "Tensor.get_device()" or "torch.CPU" or "torch.CUDA" || use.Member.StartsWith("Device..ctor", StringComparison.Ordinal);
            var isCompared = use.After is "ceq" or "beq" or "beq.s" or "bne.un" or "bne.un.s";
            return isDevice && isCompared ? "devices are compared by reference: IsSameAs" : null;
        }
    }

    /// <summary>What makes a number does not hold it, and it may be freed while native code reads it. Only the room gets one, and holds it.</summary>
    [Fact]
    public void What_makes_numbers_of_its_own_is_not_used()
    {
        var calls = TorchUse.CallsWithin();
        HashSet<string> makers = ["Scalar..ctor(IntPtr)"];
        int known;
        do
        {
            known = makers.Count;
            makers.UnionWith([.. calls.Where(call => call.Any(makers.Contains)).Select(call => call.Key)]);
        }
        while (makers.Count > known);

        Assert.Subset(makers, new HashSet<string>
        {
            "Tensor.op_Addition(Tensor, Tensor)", "Tensor.op_Multiply(Tensor, Double)", "Tensor.op_Subtraction(Int32, Tensor)", "Tensor.add(Scalar)",
        });
        var faults = s_uses.Value.Where(use => makers.Contains(use.Member) && !OperatorCatalogue.Guarded.ContainsKey(use.Member));
        Assert.Empty(faults.Select(use => $"{use.User} uses {use.Member}: Scalars").Distinct().Order());
    }

    [Fact]
    public void The_bridge_is_called_past_TorchSharp_only_where_nothing_can_fail() => Assert.Equal(
        ["LibTorchSharp/THSTensor_data", "LibTorchSharp/THSTensor_new"],
        Assemblies().SelectMany(TorchUse.ImportsOf).Where(import => import.StartsWith("LibTorchSharp", StringComparison.Ordinal))
            .Distinct().Order());

    [Fact]
    public void The_scan_sees_the_room_itself()
    {
        Assert.Contains(s_uses.Value, use => use is { Member: "torch.set_num_threads(Int32)", User: Room + "TorchEngine" });
        Assert.Contains(TorchUse.Of(typeof(OperatorTests).Assembly.Location), use =>
            use.Member == "torch.matmul(Tensor, Tensor)" && use.User == typeof(OperatorCatalogue).FullName);
    }

    /// <summary>All of the program: where the command was built.</summary>
    private static IReadOnlyList<string> Assemblies()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var folder = Path.Combine(here.Parent!.Parent!.FullName, "LlmStageAudit.Cli", here.Name);
        var found = Directory.GetFiles(folder, "LlmStageAudit.*.dll").Append(Path.Combine(folder, "stageaudit.dll")).ToList();
        Assert.Equal(12, found.Count);
        return found;
    }
}
