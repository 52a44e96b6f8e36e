using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Kernels.Torch.Weights;

/// <summary>Everything that can be wrong with a model is one failure.</summary>
internal static class ModelFault
{
    public static EngineException Of(string text, Exception? cause = null) =>
        new(EngineErrorClass.ModelInvalid, text, innerException: cause);

    /// <exception cref="EngineException"><see cref="EngineErrorClass.ModelInvalid"/>.</exception>
    public static T Reading<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception)
            when (exception
                    is GgufException
                        or SafetensorsException
                        or IOException
                        or UnauthorizedAccessException
                        or System.Text.Json.JsonException
            )
        {
            throw Of(exception.Message, exception);
        }
    }
}
