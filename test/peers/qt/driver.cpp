// Runs statecharts in Qt's interpreter of SCXML. One chart a line, as JSON:
//   in:  {"scxml": "<scxml …>", "events": ["update", …]}
//   out: {"configurations": [["n1", "n2"], …], "errors": []}
// The first configuration is the one after the start, the next ones are those after each event: the ids of all active states.
// A chart that takes more than 300 ms of CPU never ends: the driver says {"endless": true}, and ends.

#include <QCoreApplication>
#include <QBuffer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QScxmlError>
#include <QScxmlStateMachine>
#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <sys/time.h>
#include <unistd.h>

namespace {

// Lets the machine take its queued events: until it is stable, or has finished, and has nothing left to do.
void settle(QScxmlStateMachine &machine) {
  bool isStable = false;
  const auto stable =
      QObject::connect(&machine, &QScxmlStateMachine::reachedStableState, [&isStable] { isStable = true; });
  do {
    isStable = false;
    QCoreApplication::sendPostedEvents();
    QCoreApplication::processEvents();
  } while (isStable && machine.isRunning());
  QObject::disconnect(stable);
}

constexpr itimerval LIMIT = {{0, 0}, {0, 300'000}};
constexpr char ENDLESS[] = "{\"endless\": true}\n";

void end(int) {
  if (write(STDOUT_FILENO, ENDLESS, sizeof ENDLESS - 1) < 0) _exit(1);
  _exit(0);
}

QJsonObject run(const QJsonObject &chart) {
  QByteArray text = chart["scxml"].toString().toUtf8();
  QBuffer buffer(&text);
  buffer.open(QIODevice::ReadOnly);
  const std::unique_ptr<QScxmlStateMachine> machine(QScxmlStateMachine::fromData(&buffer));
  QJsonArray errors;
  for (const QScxmlError &error : machine->parseErrors()) errors.append(error.toString());
  QJsonArray configurations;
  if (errors.isEmpty()) {
    const auto look = [&] {
      settle(*machine);
      configurations.append(QJsonArray::fromStringList(machine->activeStateNames(false)));
    };
    machine->init();
    machine->start();
    look();
    for (const auto &event : chart["events"].toArray()) {
      machine->submitEvent(event.toString());
      look();
    }
  }
  return {{"configurations", configurations}, {"errors", errors}};
}

}  // namespace

int main(int count, char **arguments) {
  const QCoreApplication application(count, arguments);
  std::signal(SIGVTALRM, end);
  std::string line;
  while (std::getline(std::cin, line)) {
    setitimer(ITIMER_VIRTUAL, &LIMIT, nullptr);
    const auto chart = QJsonDocument::fromJson(QByteArray::fromStdString(line)).object();
    std::cout << QJsonDocument(run(chart)).toJson(QJsonDocument::Compact).toStdString() << std::endl;
  }
}
