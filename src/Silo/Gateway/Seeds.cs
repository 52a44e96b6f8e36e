using System.Security.Cryptography;

namespace EgpuFleet.Silo.Gateway;

/// <summary>Seeds for requests that sample and name none; kept with a job, so that its results can be made again.</summary>
public static class Seeds
{
    public static long Next() => RandomNumberGenerator.GetInt32(int.MaxValue);
}
