using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.NodeAgent.Models;

/// <summary>An engine's failure in the words of the fleet's contract.</summary>
internal static class EngineErrors
{
    /// <summary>The class in snake_case, as clients see it.</summary>
    public static string Code(EngineErrorClass errorClass) =>
        JsonNamingPolicy.SnakeCaseLower.ConvertName(errorClass.ToString());

    public static GenerationException ToGeneration(EngineException e) =>
        new(Code(e.ErrorClass), e.Message, e.Retryable);

    /// <summary>Whether it is the fault of the one request: every device would answer the same.</summary>
    public static bool IsOfTheRequest(EngineErrorClass errorClass) =>
        errorClass
            is EngineErrorClass.ContextLengthExceeded
                or EngineErrorClass.InvalidRequest
                or EngineErrorClass.ModelHasNoChatTemplate;
}
