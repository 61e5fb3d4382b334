using LlmStageAudit.Auditing.Forecasts;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Auditing.Hops;

/// <summary>Configuration -> forecast: time, peak memory and disk of a run and its audit, from a few of its own steps.</summary>
public static class ForecastHop
{
    /// <summary>Measures for about as long as the request says; nothing is kept on disk.</summary>
    /// <exception cref="AuditException">Configuration, inputs or arithmetic, as training would find.</exception>
    public static RunForecast Run(ForecastRequest request, WalkHost host) =>
        new RunForecaster(request).Forecast(host.Device(), host.Cancellation);
}
