using LlmStageAudit.Benchmarks;
using LlmStageAudit.Benchmarks.Certification;
using LlmStageAudit.Benchmarks.Digits;
using LlmStageAudit.Benchmarks.Loading;
using LlmStageAudit.Benchmarks.Tokenization;

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
        case ["load-once", var folder, var trains]:
            LoadOnce.Run(folder, trains);
            return 0;
        case ["certify"]:
            CertificationBenchmark.Run();
            return 0;
        default:
            Console.Error.WriteLine("benchmarks: expected one of tokenize, load, mnist, certify");
            return 2;
    }
}
catch (AbsenceException absence)
{
    Console.Error.WriteLine($"benchmarks: {absence.Message}");
    return 2;
}
