// What a C program gets that uses libmodbus as its documentation shows: one read after the other, one unit after the
// other. usage: libmodbus-master PATH BAUD UNITS REGISTERS COUNT CORE; prints the reads per second as JSON.
#define _GNU_SOURCE
#include <modbus/modbus.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WARM_UP = 32, REGISTERS_MAX = 125 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
  if (count != 7) return 2;
  int units = atoi(arguments[3]), registers = atoi(arguments[4]), reads = atoi(arguments[5]), core = atoi(arguments[6]);
  if (core >= 0) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET((size_t)core, &cores);
    sched_setaffinity(0, sizeof cores, &cores);
  }
  modbus_t *master = modbus_new_rtu(arguments[1], atoi(arguments[2]), 'N', 8, 1);
  if (!master || registers > REGISTERS_MAX || modbus_connect(master)) return 1;
  modbus_set_response_timeout(master, 10, 0);
  uint16_t values[REGISTERS_MAX];
  int failed = 0;
  double started = now();
  for (int read = -WARM_UP; read < reads; read++) {
    if (read == 0) started = now();
    modbus_set_slave(master, 1 + (read + WARM_UP) % units);
    if (modbus_read_registers(master, 0, registers, values) != registers) failed++;
  }
  printf("{\"perS\":%.3f,\"failed\":%d}\n", reads / (now() - started), failed);
  modbus_close(master);
  modbus_free(master);
  return 0;
}
