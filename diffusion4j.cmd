@echo off
rem Runs the command line of Diffusion4j. Builds what it needs on first use. Needs Java 17 or newer.
rem   DIFFUSION4J_MODEL      folder of the model to use in place of the small one that ships
rem   DIFFUSION4J_JAVA_OPTS  further options of the Java virtual machine, such as -Xmx8g
setlocal EnableExtensions DisableDelayedExpansion
set "ROOT=%~dp0"
set "TARGET=%ROOT%examples\target"

set "JAVA=java.exe"
if defined JAVA_HOME set "JAVA=%JAVA_HOME%\bin\java.exe"
set "VERSION="
for /f "tokens=3" %%v in ('""%JAVA%" -version 2>&1" ^| findstr /c:" version "') do set "VERSION=%%~v"
if not defined VERSION (
  echo diffusion4j: no Java was found; install Java 17 or newer, or set JAVA_HOME 1>&2
  exit /b 1
)
for /f "tokens=1 delims=.-+" %%m in ("%VERSION%") do set "MAJOR=%%m"
if %MAJOR% LSS 17 (
  echo diffusion4j: Java 17 or newer is needed, but "%JAVA%" is Java %VERSION%; set JAVA_HOME 1>&2
  exit /b 1
)

call :find
if defined JAR goto built
echo diffusion4j: building (once, it may take some minutes) ... 1>&2
pushd "%ROOT%"
call "%ROOT%mvnw.cmd" -q -B -pl examples -am "-Dmaven.test.skip=true" "-Dmaven.javadoc.skip=true" "-Dmaven.source.skip=true" package 1>&2
popd
call :find
if not defined JAR (
  echo diffusion4j: the build failed; run it yourself to see more: mvnw.cmd -pl examples -am -DskipTests package 1>&2
  exit /b 1
)
:built

rem A variable, as a class path is too long for set /p and may hold spaces.
for /f "usebackq delims=" %%l in ("%TARGET%\class-path") do set "CLASSPATH=%JAR%;%%l"
if not defined DIFFUSION4J_MODEL set "DIFFUSION4J_MODEL=%ROOT%examples\models\emoji-ldm"
set "FLAGS=-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dfile.encoding=UTF-8"
if %MAJOR% GEQ 24 set "FLAGS=%FLAGS% --illegal-native-access=allow"
if %MAJOR% GEQ 19 set FLAGS=%FLAGS% -XX:+AutoCreateSharedArchive "-XX:SharedArchiveFile=%TARGET%\classes-%VERSION%.jsa"
"%JAVA%" %FLAGS% -Xlog:disable %DIFFUSION4J_JAVA_OPTS% io.github.diffusion4j.cli.Main %*
exit /b %ERRORLEVEL%

:find
set "JAR="
if not exist "%TARGET%\class-path" exit /b 0
for %%f in ("%TARGET%\diffusion4j-examples-*.jar") do call :take "%%~f"
exit /b 0

:take
set "NAME=%~n1"
if "%NAME:~-8%"=="-sources" exit /b 0
if "%NAME:~-8%"=="-javadoc" exit /b 0
set "JAR=%~1"
exit /b 0
