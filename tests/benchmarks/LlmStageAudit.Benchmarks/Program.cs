using System.Globalization;
using LlmStageAudit.Benchmarks;
using LlmStageAudit.Benchmarks.Certification;
using LlmStageAudit.Benchmarks.Comments;
using LlmStageAudit.Benchmarks.Determinism;
using LlmStageAudit.Benchmarks.Digits;
using LlmStageAudit.Benchmarks.Estimates;
using LlmStageAudit.Benchmarks.Loading;
using LlmStageAudit.Benchmarks.LongRuns;
using LlmStageAudit.Benchmarks.Significance;
using LlmStageAudit.Benchmarks.Steps;
using LlmStageAudit.Benchmarks.Tokenization;
using LlmStageAudit.Benchmarks.Trust;

try
{
    ResultFile.Prepare();
    switch (args)
    {
        case ["tokenize"]:
            TokenizeBenchmark.Run();
            return 0;
        case ["load"]:
            LoadBenchmark.Run();
            return 0;
        case ["mnist"]:
            MnistBenchmark.Run();
            return 0;
        case ["comments"]:
            CommentsBenchmark.Run();
            return 0;
        case ["steps"]:
            StepsBenchmark.Run();
            return 0;
        case ["trust"]:
            TrustBenchmark.Run();
            return 0;
        case ["trust", var runs] when int.TryParse(runs, CultureInfo.InvariantCulture, out var count) && count > 0:
            TrustBenchmark.Run(count);
            return 0;
        case ["load-once", var folder, var trains]:
            LoadOnce.Run(folder, trains);
            return 0;
        case ["long"]:
            LongBenchmark.Run();
            return 0;
        case ["logs"]:
            LongLogs.Run();
            return 0;
        case ["determinism", .. var folders]:
            DeterminismBenchmark.Run(folders);
            return 0;
        case ["estimate"]:
            EstimateBenchmark.Run();
            return 0;
        case ["significance"]:
            SignificanceBenchmark.Run();
            return 0;
        case ["certify"]:
            CertificationBenchmark.Run();
            return 0;
        default:
            Console.Error.WriteLine(
                "benchmarks: expected one of tokenize, load, mnist, comments, steps, certify, significance, trust, long, logs, determinism, estimate");
            return 2;
    }
}
catch (AbsenceException absence)
{
    Console.Error.WriteLine($"benchmarks: {absence.Message}");
    return 2;
}
